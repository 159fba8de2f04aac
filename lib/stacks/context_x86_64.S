/* SPDX-License-Identifier: MIT */
/* The context switch for x86-64, System V ABI. It saves rbx, rbp and r12 to r15 on the
 * stack that is left. It does not save mxcsr and the x87 control word (which would double
 * the cost): all contexts of a thread share one rounding mode.
 *
 * The processor predicts the target of a ret by its own stack of return addresses (the
 * return predictor), which knows nothing of our switches. So cg__context_jump ends in a
 * jump: a ret would be mispredicted after nearly every switch, which costs 7 ns or more.
 * But where all contexts are suspended by the same call (jump_alike), the predictor is
 * right, for this ret and for those of the callers; there a jump would leave its entry in
 * the predictor, and all the following rets would be mispredicted. A context that has not
 * begun has an odd address, by which the switch knows that it must call entry instead of
 * returning into a saved frame. So the predictor keeps the entry of the switch's call,
 * which the ret that ends the context uses.
 *
 * There is no .note.gnu.property here on purpose: CET allows neither this jump (indirect
 * branch tracking) nor a change of stacks (shadow stack). Without the note, the linker
 * does not mark the program as one that supports CET. */
#if defined __x86_64__ && defined __LP64__

#ifdef __CET__
#define LANDING endbr64
#else
#define LANDING
#endif

    .text

/* Where a suspended context has its registers, for unwinding. */
    .macro SAVED
    .cfi_offset %rbp, -16
    .cfi_offset %rbx, -24
    .cfi_offset %r12, -32
    .cfi_offset %r13, -40
    .cfi_offset %r14, -48
    .cfi_offset %r15, -56
    .endm

    .macro SWITCH
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r15, 0
    movq %rsp, (%rdi)
    testb $1, %sil
    jnz cg__context_entry
    movq %rsi, %rsp /* that stack has the same layout, so the CFI rules still hold */
    RESTORE
    .endm

    .macro RESTORE
    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r12
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbp
    .endm

/* void cg__context_jump(void **save, void *to) */
    .p2align 4
    .globl cg__context_jump
    .hidden cg__context_jump
    .type cg__context_jump, @function
cg__context_jump:
    .cfi_startproc
    LANDING
    SWITCH
    popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rcx
    jmp *%rcx
    .cfi_endproc
    .size cg__context_jump, . - cg__context_jump

/* void cg__context_jump_alike(void **save, void *to) */
    .p2align 4
    .globl cg__context_jump_alike
    .hidden cg__context_jump_alike
    .type cg__context_jump_alike, @function
cg__context_jump_alike:
    .cfi_startproc
    LANDING
    SWITCH
    ret
    .cfi_endproc
    .size cg__context_jump_alike, . - cg__context_jump_alike

/* ssize_t cg__context_jump_then(void **save, void *to, ssize_t (*then)(void *), void
 * *arg): it returns to its caller by a jump, too. When this context continues, the last
 * call that the return predictor has seen was made in the other context. */
    .p2align 4
    .globl cg__context_jump_then
    .hidden cg__context_jump_then
    .type cg__context_jump_then, @function
cg__context_jump_then:
    .cfi_startproc
    LANDING
    pushq %rcx
    .cfi_adjust_cfa_offset 8
    pushq %rdx
    .cfi_adjust_cfa_offset 8
    leaq 1f(%rip), %rcx
    pushq %rcx
    .cfi_adjust_cfa_offset 8
    SWITCH
    popq %rcx
    .cfi_adjust_cfa_offset -8
    jmp *%rcx
1:  popq %rax
    .cfi_adjust_cfa_offset -8
    movq (%rsp), %rdi
    call *%rax
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rcx
    jmp *%rcx
    .cfi_endproc
    .size cg__context_jump_then, . - cg__context_jump_then

/* ssize_t cg__context_return(ssize_t result): as a tail call, the compiler turns its call
 * into a jump. So the top of the stack is the return address of the calling function. */
    .p2align 4
    .globl cg__context_return
    .hidden cg__context_return
    .type cg__context_return, @function
cg__context_return:
    .cfi_startproc
    LANDING
    movq %rdi, %rax
    popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rcx
    jmp *%rcx
    .cfi_endproc
    .size cg__context_return, . - cg__context_return

/* void cg__context_peek(const void *sp, void (*fn)(void *), void *arg): its rules for
 * unwinding say that it was called by the suspended context, whose registers lie at sp. */
    .p2align 4
    .globl cg__context_peek
    .hidden cg__context_peek
    .type cg__context_peek, @function
cg__context_peek:
    .cfi_startproc
    LANDING
    testb $1, %dil
    jnz 1f
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    movq %rdi, %rbx
    movq %rdx, %rdi
    .cfi_remember_state
    .cfi_def_cfa %rbx, 56
    SAVED
    call *%rsi
    .cfi_restore_state
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbx
1:  ret
    .cfi_endproc
    .size cg__context_peek, . - cg__context_peek

/* void *cg__context_frame(void *low, void *top, void *(*entry)(void *), void *arg): writes
 * what cg__context_entry reads, and returns its address plus one. The zero is for
 * Valgrind, which ignores the undefined rip and takes this word for the return address. */
    .p2align 4
    .globl cg__context_frame
    .hidden cg__context_frame
    .type cg__context_frame, @function
cg__context_frame:
    .cfi_startproc
    LANDING
    leaq -31(%rsi), %rax
    movq $0, -32(%rsi)
    movq %rcx, -24(%rsi) /* arg */
    movq %rdx, -16(%rsi) /* entry */
    ret
    .cfi_endproc
    .size cg__context_frame, . - cg__context_frame

/* The outermost frame of every context; rsi is what cg__context_frame returned. The
 * undefined rip and the zero rbp tell debuggers that this frame has no caller. */
    .p2align 4
    .type cg__context_entry, @function
cg__context_entry:
    .cfi_startproc
    .cfi_undefined %rip
    leaq -1(%rsi), %rsp
    movq 7(%rsi), %rdi
    xorl %ebp, %ebp
    call *15(%rsi)
    nop
    .cfi_endproc
    .size cg__context_entry, . - cg__context_entry

/* Control falls through to here from cg__context_entry: entry has returned the saved
 * address of the next context. */
    .type cg__context_end, @function
cg__context_end:
    .cfi_startproc
    movq %rax, %rsi
    testb $1, %sil
    jnz cg__context_entry
    movq %rsi, %rsp
    .cfi_def_cfa_offset 56
    SAVED
    RESTORE
    ret
    .cfi_endproc
    .size cg__context_end, . - cg__context_end

#endif

#if defined __linux__ && defined __ELF__
    .section .note.GNU-stack, "", @progbits
#endif
