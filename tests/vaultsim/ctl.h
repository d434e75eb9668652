/*
 * `vaultsim ctl`: one request to the control endpoint of the vaultsim running on a folder.
 *
 * The exit code is 0 for a 2xx answer, 1 for another or none, 2 for bad usage.
 */
#ifndef VAULTSIM_CTL_H
#define VAULTSIM_CTL_H

int ctl_main(int argc, char **argv);

#endif
