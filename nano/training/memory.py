"""The memory of a training on a processor."""

import ctypes

# Of glibc's malloc.h.
_TRIM_THRESHOLD = -1
_MMAP_MAX = -4
_LARGEST = 2**31 - 1


def keep() -> None:
    """Let the process keep what it frees, where it has glibc's allocator. Large tensors are freed
    and made again many times in each step; by itself the allocator gives their pages back, and a
    product can take less time than the first touch of the pages that it is written to."""
    allocator = ctypes.CDLL(None)
    if hasattr(allocator, "gnu_get_libc_version"):
        allocator.mallopt(_MMAP_MAX, 0)
        allocator.mallopt(_TRIM_THRESHOLD, _LARGEST)
