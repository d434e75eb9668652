/*
 * The way into akv-ekm, but for what main() adds.
 *
 * Owns nothing. One thread.
 */
#ifndef AKVEKM_TOOL_TOOL_MAIN_H
#define AKVEKM_TOOL_TOOL_MAIN_H

/* The exit status. */
int tool_main(int argc, char **argv);

#endif
