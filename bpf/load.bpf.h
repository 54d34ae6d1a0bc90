/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Reading the kernel's structures. A pointer that the verifier knows by its type, an argument of a hook or the calling task
 * and what is reached from there, is followed by plain loads, which cost a tenth of a probe; a NULL on the way gives 0 either
 * way. It is known no more once it was a number, went through a map or through a function that is not static.
 */
#ifndef HASHTRAIL_LOAD_H
#define HASHTRAIL_LOAD_H

/* is_typed is constant, so that of the two ways one is left. */
#define READ(is_typed, from, ...) ((is_typed) ? ___arrow(from, __VA_ARGS__) : BPF_CORE_READ(from, __VA_ARGS__))

#endif
