// The memory as kernels and TypeScript both see it.

/** The address of what is not there, such as a slot that a tensor does not have. */
export const ABSENT: usize = 0;
/** Bytes of a page. The first page is the binary's, so no tensor has address 0. */
export const PAGE_BYTES: usize = 65536;
/** Every buffer starts on a multiple of this many bytes and is padded to one. */
export const ALIGNMENT: usize = 64;
/** Kernels that sweep take a number of elements that is a multiple of this. */
export const SWEPT_TOGETHER: i32 = 16;
