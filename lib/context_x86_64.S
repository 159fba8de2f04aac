/* SPDX-License-Identifier: MIT */
/* The switch for x86-64, System V ABI: rbx, rbp and r12 to r15 are saved on the stack that
 * is left. mxcsr and the x87 control word are not (they would cost as much again): all
 * contexts of a thread share its rounding mode.
 *
 * The processor predicts a ret to go where its own stack of return addresses says. So jump
 * ends in a jump, because a ret would be wrong after nearly every switch and cost 7 ns or
 * more. But where all contexts leave by the same call, that stack is right: a ret takes its
 * entry off, and those of the callers are right as well; after a jump all of them are wrong.
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
    movq %rsi, %rsp /* the same layout there, so the unwinder's rules still hold */
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

/* void *cg__context_frame(void *low, void *top, void (*entry)(void *), void *arg): what jump
 * pops, with two zero words above it so that the stack is aligned where entry is called. */
    .p2align 4
    .globl cg__context_frame
    .hidden cg__context_frame
    .type cg__context_frame, @function
cg__context_frame:
    .cfi_startproc
    LANDING
    leaq -72(%rsi), %rax
    xorl %edi, %edi
    movq %rdi, (%rax)   /* r15 */
    movq %rdi, 8(%rax)  /* r14 */
    movq %rcx, 16(%rax) /* r13: arg */
    movq %rdx, 24(%rax) /* r12: entry */
    movq %rdi, 32(%rax) /* rbx */
    movq %rdi, 40(%rax) /* rbp */
    leaq cg__context_entry(%rip), %rdx
    movq %rdx, 48(%rax)
    movq %rdi, 56(%rax)
    movq %rdi, 64(%rax)
    ret
    .cfi_endproc
    .size cg__context_frame, . - cg__context_frame

/* The outermost frame of every context. Debuggers look one byte before a return address,
 * hence the nop; the undefined rip and the zero rbp tell them that nothing is further out. */
    .p2align 4
    .type cg__context_entry, @function
    .cfi_startproc
    .cfi_undefined %rip
    nop
cg__context_entry:
    LANDING
    xorl %ebp, %ebp
    movq %r13, %rdi
    leaq cg__context_end(%rip), %rax
    pushq %rax
    jmp *%r12 /* a call would leave the processor an entry that no ret takes off */
    nop
cg__context_end:
    ud2
    .cfi_endproc
    .size cg__context_entry, . - cg__context_entry

#endif

#if defined __linux__ && defined __ELF__
    .section .note.GNU-stack, "", @progbits
#endif
