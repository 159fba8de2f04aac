/* SPDX-License-Identifier: MIT */
/* The ring: a writer claims a slot by moving the tail, and marks it full when it has written.
 * A handler may interrupt another one in between; then the reader stops at the slot that is
 * claimed and not full yet, and is called again for it. */
#include "config.h"

#include "system/os_infos.h"

void cg__os_infos_put(struct cg__os_infos *infos, const struct cg_os_signal_info *info)
{
    unsigned at = atomic_load(&infos->tail);

    do
        if (at - atomic_load(&infos->head) >= CG_OS_SIGNAL_INFOS)
            return;
    while (!atomic_compare_exchange_weak(&infos->tail, &at, at + 1));
    infos->slots[at % CG_OS_SIGNAL_INFOS].info = *info;
    atomic_store(&infos->slots[at % CG_OS_SIGNAL_INFOS].full, true);
}

bool cg__os_infos_take(struct cg__os_infos *infos, struct cg_os_signal_info *info,
                       unsigned *position)
{
    unsigned head = atomic_load(&infos->head), at = head % CG_OS_SIGNAL_INFOS;

    if (!atomic_load(&infos->slots[at].full))
        return false;
    *info = infos->slots[at].info;
    *position = head;
    atomic_store(&infos->slots[at].full, false);
    atomic_store(&infos->head, head + 1);
    return true;
}
