/* SPDX-License-Identifier: MIT */
/* The context switch for aarch64 (AAPCS64). It saves x19 to x30 and the low halves of v8
 * to v15 on the stack that is left. It does not save fpcr: all contexts of a thread share
 * one rounding mode. It ends in br, because the processor would mispredict a ret. There is
 * no .note.gnu.property, because branch target identification (BTI) does not allow this
 * br. */
#ifdef __aarch64__

#define FRAME 160

    .text

/* Where a suspended context has its registers, for unwinding. */
    .macro SAVED
    .cfi_offset x19, 0 - FRAME
    .cfi_offset x20, 8 - FRAME
    .cfi_offset x21, 16 - FRAME
    .cfi_offset x22, 24 - FRAME
    .cfi_offset x23, 32 - FRAME
    .cfi_offset x24, 40 - FRAME
    .cfi_offset x25, 48 - FRAME
    .cfi_offset x26, 56 - FRAME
    .cfi_offset x27, 64 - FRAME
    .cfi_offset x28, 72 - FRAME
    .cfi_offset x29, 80 - FRAME
    .cfi_offset x30, 88 - FRAME
    .endm

    .macro RESTORE
    ldp x19, x20, [sp]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #FRAME
    .endm

/* void cg__context_jump(void **save, void *to), and jump_alike: the same code */
    .p2align 4
    .globl cg__context_jump
    .hidden cg__context_jump
    .type cg__context_jump, %function
    .globl cg__context_jump_alike
    .hidden cg__context_jump_alike
    .type cg__context_jump_alike, %function
cg__context_jump_alike:
cg__context_jump:
    .cfi_startproc
    sub sp, sp, #FRAME
    .cfi_def_cfa_offset FRAME
    stp x19, x20, [sp]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    SAVED
    mov x9, sp
    str x9, [x0]
    mov sp, x1 /* that stack has the same layout, so the CFI rules still hold */
    RESTORE
    .cfi_def_cfa_offset 0
    .cfi_restore x19
    .cfi_restore x20
    .cfi_restore x21
    .cfi_restore x22
    .cfi_restore x23
    .cfi_restore x24
    .cfi_restore x25
    .cfi_restore x26
    .cfi_restore x27
    .cfi_restore x28
    .cfi_restore x29
    .cfi_restore x30
    br x30
    .cfi_endproc
    .size cg__context_jump, . - cg__context_jump

/* ssize_t cg__context_jump_then(void **save, void *to, ssize_t (*then)(void *), void
 * *arg) */
    .p2align 4
    .globl cg__context_jump_then
    .hidden cg__context_jump_then
    .type cg__context_jump_then, %function
cg__context_jump_then:
    .cfi_startproc
    stp x29, x30, [sp, #-32]!
    .cfi_def_cfa_offset 32
    .cfi_offset x29, -32
    .cfi_offset x30, -24
    stp x2, x3, [sp, #16]
    bl cg__context_jump
    ldp x9, x0, [sp, #16]
    ldp x29, x30, [sp], #32
    .cfi_def_cfa_offset 0
    .cfi_restore x29
    .cfi_restore x30
    br x9
    .cfi_endproc
    .size cg__context_jump_then, . - cg__context_jump_then

/* ssize_t cg__context_return(ssize_t result) */
    .p2align 4
    .globl cg__context_return
    .hidden cg__context_return
    .type cg__context_return, %function
cg__context_return:
    .cfi_startproc
    br x30
    .cfi_endproc
    .size cg__context_return, . - cg__context_return

/* void cg__context_peek(const void *sp, void (*fn)(void *), void *arg): its rules for
 * unwinding say that it was called by the suspended context, whose registers lie at sp. */
    .p2align 4
    .globl cg__context_peek
    .hidden cg__context_peek
    .type cg__context_peek, %function
cg__context_peek:
    .cfi_startproc
    stp x29, x30, [sp, #-32]!
    .cfi_def_cfa_offset 32
    .cfi_offset x29, -32
    .cfi_offset x30, -24
    str x19, [sp, #16]
    .cfi_offset x19, -16
    mov x19, x0
    mov x9, x1
    mov x0, x2
    .cfi_remember_state
    .cfi_def_cfa x19, FRAME
    SAVED
    blr x9
    .cfi_restore_state
    ldr x19, [sp, #16]
    ldp x29, x30, [sp], #32
    .cfi_def_cfa_offset 0
    .cfi_restore x19
    .cfi_restore x29
    .cfi_restore x30
    ret
    .cfi_endproc
    .size cg__context_peek, . - cg__context_peek

/* void *cg__context_frame(void *low, void *top, void *(*entry)(void *), void *arg): writes
 * the registers that jump restores: x19 is entry, x20 arg, x29 zero, x30
 * cg__context_entry. The floating-point registers may have any value. */
    .p2align 4
    .globl cg__context_frame
    .hidden cg__context_frame
    .type cg__context_frame, %function
cg__context_frame:
    .cfi_startproc
    sub x0, x1, #FRAME
    adr x9, cg__context_entry
    stp x2, x3, [x0]
    stp xzr, x9, [x0, #80]
    ret
    .cfi_endproc
    .size cg__context_frame, . - cg__context_frame

/* The outermost frame of every context. Debuggers look up the instruction before a return
 * address, hence the nop; the undefined x30 tells them that this frame has no caller. */
    .p2align 4
    .type cg__context_entry, %function
    .cfi_startproc
    .cfi_undefined x30
    nop
cg__context_entry:
    mov x0, x20
    blr x19
    mov sp, x0 /* entry has returned the saved address of the next context */
    RESTORE
    br x30
    .cfi_endproc
    .size cg__context_entry, . - cg__context_entry

#endif

#if defined __linux__ && defined __ELF__
    .section .note.GNU-stack, "", %progbits
#endif
