// A program of a few hundred bytes that ends at once with status 0. Hashing is slow under emulation, and
// bytes appended to it give another content that still runs.

void _start(void)
{
#if defined(__x86_64__)
	__asm__ volatile("syscall" : : "a"(60), "D"(0));
#elif defined(__aarch64__)
	register long status __asm__("x0") = 0;
	register long number __asm__("x8") = 93;

	__asm__ volatile("svc 0" : : "r"(status), "r"(number));
#endif
	__builtin_unreachable();
}
