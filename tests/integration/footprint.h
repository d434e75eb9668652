/*
 * What this process holds of the system: resident memory, descriptors, threads.
 *
 * Owns nothing; any thread. Fails the running cmocka test when /proc cannot be read.
 */
#ifndef AKVEKM_INTEGRATION_FOOTPRINT_H
#define AKVEKM_INTEGRATION_FOOTPRINT_H

struct footprint {
    long resident_kib;
    int descriptors, threads;
};

struct footprint footprint_now(void);

#endif
