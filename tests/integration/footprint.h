/*
 * The resources of this process: resident memory, descriptors, threads.
 *
 * Owns nothing; any thread. Fails the running cmocka test if /proc cannot be read.
 */
#ifndef AKVEKM_INTEGRATION_FOOTPRINT_H
#define AKVEKM_INTEGRATION_FOOTPRINT_H

struct footprint {
    long resident_kib;
    int descriptors, threads;
};

struct footprint footprint_now(void);

#endif
