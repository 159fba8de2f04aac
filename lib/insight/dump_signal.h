/* SPDX-License-Identifier: MIT */
/* Dumps on a signal. See dump_signal.c. */
#ifndef COGEN_LIB_INSIGHT_DUMP_SIGNAL_H
#define COGEN_LIB_INSIGHT_DUMP_SIGNAL_H

/* Installs the handler, unless it is there, or the program or $COGEN_DUMP says no, or the
 * signal is in use. Called by cg_main and cg_crew_main. */
void cg__dump_signal_install(void);

#endif
