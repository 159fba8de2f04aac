/* SPDX-License-Identifier: MIT */
/* For which sanitizer this is compiled; gcc and clang say so differently. Each macro is 0
 * or 1. */
#ifndef COGEN_LIB_BASE_SANITIZE_H
#define COGEN_LIB_BASE_SANITIZE_H

#ifndef __has_feature
#define CG__HAS_FEATURE(feature) 0
#else
#define CG__HAS_FEATURE(feature) __has_feature(feature)
#endif

#if defined __SANITIZE_ADDRESS__ || CG__HAS_FEATURE(address_sanitizer)
#define CG__ASAN 1
#else
#define CG__ASAN 0
#endif

#if defined __SANITIZE_THREAD__ || CG__HAS_FEATURE(thread_sanitizer)
#define CG__TSAN 1
#else
#define CG__TSAN 0
#endif

#endif
