// Specification of memory that is shared by its descriptor.
import { closeSync, fchmodSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { release } from 'node:os';
import { expect, it, onTestFinished } from 'vitest';
import { failsWith } from '../../test/contract/backend.js';
import { createSharedMemory, mapSharedMemory } from './memory.js';

function make(bytes: number) {
  const memory = createSharedMemory('gpio-irqd-test', bytes);
  onTestFinished(() => closeSync(memory.fd));
  return memory;
}

it('is zeros at first, and the same for all who map it, also after its descriptor was closed', () => {
  const { fd, buffer } = createSharedMemory('gpio-irqd-test', 1_000);
  const other = mapSharedMemory(fd);
  closeSync(fd);
  expect([...new Uint8Array(other)]).toEqual(Array.from({ length: 1_000 }, () => 0));
  new Uint32Array(buffer)[249] = 7;
  expect(new Uint32Array(other)[249]).toBe(7);
});

it('keeps its size: whoever reads it cannot be killed by somebody who cuts it off', () => {
  const { fd } = make(4_096);
  expect(() => ftruncateSync(fd, 0)).toThrow(/EPERM/);
  expect(() => ftruncateSync(fd, 8_192)).toThrow(/EPERM/);
  expect(fstatSync(fd).size).toBe(4_096);
});

const [major = 0, minor = 0] = release().split('.').map(Number);
it.runIf(major > 6 || (major === 6 && minor >= 3))('cannot be made a program of', () => {
  const { fd } = make(4_096);
  expect(fstatSync(fd).mode & 0o111).toBe(0);
  expect(() => fchmodSync(fd, 0o700)).toThrow(/EPERM/);
});

it('is not mapped from what it does not come from', () => {
  const fd = openSync('/dev/zero', 'r+');
  onTestFinished(() => closeSync(fd));
  failsWith('EINVAL', () => mapSharedMemory(fd));
  failsWith('EBADF', () => mapSharedMemory(4_000));
});

it.each([0, 1_048_577, -1, 'x' as unknown as number])('%s bytes are refused', (bytes) => {
  expect(() => createSharedMemory('gpio-irqd-test', bytes)).toThrow(TypeError);
});
