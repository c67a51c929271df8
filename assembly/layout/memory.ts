// Constants of the memory that kernels and TypeScript share.

/** The address that means "none", such as of a slot that a tensor lacks. */
export const ABSENT: usize = 0;
/** Bytes of a page. The first page belongs to the binary, so no tensor has address 0. */
export const PAGE_BYTES: usize = 65536;
/** The most pages of a memory: 4 GiB. */
export const MAX_PAGES: i32 = 65536;
/** Every buffer starts on a multiple of this many bytes and is padded to one. */
export const ALIGNMENT: usize = 64;
/** The kernels of the rules take a number of elements that is a multiple of this. */
export const SWEPT_TOGETHER: i32 = 16;
