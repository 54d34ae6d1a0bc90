// A shared library that needs nothing; it is only mapped.

int answer(void)
{
	return 42;
}
