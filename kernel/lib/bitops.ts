// Bit operations on bitmaps of any length and on 32-bit words (include/linux/bitops.h, bits.h).
import { KernelError } from '../errno.js';

/** Bits in words of 32 (unsigned long of a 32-bit kernel). */
export type Bitmap = Uint32Array;

/**
 * A bitmap with room for `bits` bits, all clear (DECLARE_BITMAP).
 *
 * ```ts
 * const inUse = declareBitmap(54);                  // DECLARE_BITMAP(in_use, 54)
 * if (testAndSetBit(17, inUse)) throw new KernelError('EBUSY', 'line 17 is taken');
 * const free = findFirstZeroBit(inUse, 54);         // 0
 * for (const line of forEachSetBit(inUse, 54)) show(line);
 * ```
 */
export function declareBitmap(bits: number): Bitmap {
  return new Uint32Array(bitsToLongs(bits));
}

/** Words that hold `bits` bits (BITS_TO_LONGS). */
export function bitsToLongs(bits: number): number {
  return Math.ceil(bits / 32);
}

/** Word with bit `nr` set, unsigned (BIT). */
export function BIT(nr: number): number {
  return (1 << nr) >>> 0;
}

/** Word with bits `low` to `high` set, unsigned (GENMASK). */
export function GENMASK(high: number, low: number): number {
  return ((0xffff_ffff << low) & (0xffff_ffff >>> (31 - high))) >>> 0;
}

function wordOf(nr: number, addr: Bitmap): number {
  // Not nr >>> 5, which takes 2^32 for 0.
  const word = addr[Math.floor(nr / 32)];
  if (word !== undefined && Number.isInteger(nr)) return word;
  throw new KernelError('EINVAL', `bit ${nr} of a bitmap of ${addr.length * 32} bits`);
}

/** The bit is set (test_bit). `EINVAL`, here and below, outside the bitmap. */
export function testBit(nr: number, addr: Bitmap): boolean {
  return (wordOf(nr, addr) & (1 << (nr & 31))) !== 0;
}

export function setBit(nr: number, addr: Bitmap): void {
  addr[nr >>> 5] = wordOf(nr, addr) | (1 << (nr & 31));
}

export function clearBit(nr: number, addr: Bitmap): void {
  addr[nr >>> 5] = wordOf(nr, addr) & ~(1 << (nr & 31));
}

/** Turns the bit over (change_bit). */
export function changeBit(nr: number, addr: Bitmap): void {
  addr[nr >>> 5] = wordOf(nr, addr) ^ (1 << (nr & 31));
}

/** Sets the bit; true when it was set before (test_and_set_bit). Any context: no one comes in between. */
export function testAndSetBit(nr: number, addr: Bitmap): boolean {
  const before = testBit(nr, addr);
  setBit(nr, addr);
  return before;
}

export function testAndClearBit(nr: number, addr: Bitmap): boolean {
  const before = testBit(nr, addr);
  clearBit(nr, addr);
  return before;
}

export function testAndChangeBit(nr: number, addr: Bitmap): boolean {
  const before = testBit(nr, addr);
  changeBit(nr, addr);
  return before;
}

/** First of `size` bits at or behind `offset` that is set, `size` if none is (find_next_bit). */
export function findNextBit(addr: Bitmap, size: number, offset: number): number {
  return findNext(addr, size, offset, 0);
}

export function findFirstBit(addr: Bitmap, size: number): number {
  return findNext(addr, size, 0, 0);
}

/** First of `size` bits at or behind `offset` that is clear, `size` if none is (find_next_zero_bit). */
export function findNextZeroBit(addr: Bitmap, size: number, offset: number): number {
  return findNext(addr, size, offset, 0xffff_ffff);
}

export function findFirstZeroBit(addr: Bitmap, size: number): number {
  return findNext(addr, size, 0, 0xffff_ffff);
}

function findNext(addr: Bitmap, size: number, offset: number, invert: number): number {
  let mask = 0xffff_ffff << (offset & 31);
  for (let word = offset >>> 5; word * 32 < size; word++) {
    const bits = (wordOf(word * 32, addr) ^ invert) & mask;
    if (bits !== 0) return Math.min(word * 32 + __ffs(bits), size);
    mask = 0xffff_ffff;
  }
  return size;
}

/** The set bits among the first `size`, ascending (for_each_set_bit). */
export function* forEachSetBit(addr: Bitmap, size: number): Generator<number> {
  for (let bit = findFirstBit(addr, size); bit < size; bit = findNextBit(addr, size, bit + 1)) yield bit;
}

/** Bits set in a word (hweight32). */
export function hweight32(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** Bits set among the first `size` (bitmap_weight). */
export function bitmapWeight(addr: Bitmap, size: number): number {
  let count = 0;
  for (const _ of forEachSetBit(addr, size)) count++;
  return count;
}

/** Number of the lowest set bit, from 0; of a word that is not 0 (__ffs). */
export function __ffs(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** Number of the lowest set bit, from 1; 0 for none (ffs). */
export function ffs(word: number): number {
  return 32 - Math.clz32(word & -word);
}

/** Number of the highest set bit, from 1; 0 for none (fls). */
export function fls(word: number): number {
  return 32 - Math.clz32(word);
}

/** Number of the lowest clear bit, from 0; of a word that is not all ones (ffz). */
export function ffz(word: number): number {
  return __ffs(~word);
}
