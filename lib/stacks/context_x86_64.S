/* SPDX-License-Identifier: MIT */
/* The switch for x86-64, System V ABI: rbx, rbp and r12 to r15 are saved on the stack that
 * is left. mxcsr and the x87 control word are not (they would cost as much again): all
 * contexts of a thread share its rounding mode.
 *
 * The processor predicts a ret to go where its own stack of return addresses says. So jump
 * ends in a jump, because a ret would be wrong after nearly every switch and cost 7 ns or
 * more. But where all contexts leave by the same call, that stack is right: a ret takes its
 * entry off, and those of the callers are right as well; after a jump all of them are wrong.
 * A context that has not begun has an odd address, so that the processor is not sent there
 * by a ret: what that would have taken off is there for the ret by which the context ends.
 *
 * There is no .note.gnu.property here on purpose. Neither CET's shadow stack nor its branch
 * tracking can follow this jump; without the note the linker marks the whole program
 * as not asking for them. */
#if defined __x86_64__ && defined __LP64__

#ifdef __CET__
#define LANDING endbr64
#else
#define LANDING
#endif

    .text

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
    movq %rsi, %rsp /* the same layout there, so the unwinder's rules still hold */
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

/* ssize_t cg__context_jump_then(void **save, void *to, ssize_t (*then)(void *), void *arg):
 * returns by a jump as well, because what was called last when it is gone back to was the
 * function that left the other context. */
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

/* ssize_t cg__context_return(ssize_t result): called last, it is jumped to, and finds the
 * return address of the function that ends so. */
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

/* void *cg__context_frame(void *low, void *top, void *(*entry)(void *), void *arg): what
 * cg__context_entry looks for; one more than its address. The zero is where Valgrind, which
 * knows no undefined rip, looks for a return address. */
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

/* The outermost frame of every context, whose address, plus one, is in rsi. The undefined
 * rip and the zero rbp tell debuggers that nothing is further out. */
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

/* Follows it: entry has answered where to go on. */
    .type cg__context_end, @function
cg__context_end:
    .cfi_startproc
    movq %rax, %rsi
    testb $1, %sil
    jnz cg__context_entry
    movq %rsi, %rsp
    .cfi_def_cfa_offset 56
    .cfi_offset %rbp, -16
    .cfi_offset %rbx, -24
    .cfi_offset %r12, -32
    .cfi_offset %r13, -40
    .cfi_offset %r14, -48
    .cfi_offset %r15, -56
    RESTORE
    ret
    .cfi_endproc
    .size cg__context_end, . - cg__context_end

#endif

#if defined __linux__ && defined __ELF__
    .section .note.GNU-stack, "", @progbits
#endif
