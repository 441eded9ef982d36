import { expect, it } from 'vitest';
import { assemble } from '../../src/text/wat.js';

it('a program runs: locals, loops, branches, calls, memory', () => {
  const { functions, memory } = assemble(
    `
    ;; Sum of the bytes from $at to $end, those that are even alone if $even.
    (func $sum (param $at i32) (param $end i32) (param $even i32) (result i32) (local $total i32) (local $byte i32)
      (block $done
        (loop $more
          (br_if $done (i32.ge_u $at $end))
          (local.set $byte (i32.load8_u offset=2 $at))
          (if (i32.and $even (call $odd $byte))
            (then (local.set $byte 0))
            (else (i32.store8 offset=2 $at 7)))
          (local.set $total (i32.add $total $byte))
          (local.set $at (i32.add $at 1))
          (br $more)))
      $total)
    (func $odd (param $of i32) (result i32) (i32.and $of 1))`,
    1,
  );
  const bytes = new Uint8Array(memory.buffer);
  bytes.set([1, 2, 3, 200], 2);
  expect(functions.sum?.(0, 4, 1)).toBe(202);
  expect([...bytes.subarray(2, 6)]).toEqual([1, 7, 3, 7]);
  expect(functions.sum?.(0, 4, 0)).toBe(18);
});

it.each([-1, 0, 63, 64, -64, -65, 127, 128, 8191, 2 ** 31 - 1, -(2 ** 31)])('the number %i is itself', (number) => {
  expect(assemble(`(func $number (result i32) ${number})`, 1).functions.number?.()).toBe(number);
});

it('numbers of 64 bits keep their upper half', () => {
  const program =
    '(func $top (param $by i32) (result i32) (i32.wrap_i64 (i64.shr_u (i64.const -81985529216486896) (i64.const 32))))';
  expect(assemble(program, 1).functions.top?.(0)).toBe(0xfedcba98 | 0);
});

it('a program calls what it is given, and its memory grows', () => {
  const seen: number[] = [];
  const { functions, memory } = assemble(
    '(import $tell (param $of i32)) (func $twice (param $of i32) (call $tell $of) (call $tell (i32.load 65536)))',
    1,
    { tell: (value) => seen.push(value) },
  );
  memory.grow(1);
  new Int32Array(memory.buffer)[65_536 / 4] = 7;
  functions.twice?.(5);
  expect(seen).toEqual([5, 7]);
});

it.each([
  ['(func $f (result i32) $missing)', 'nothing is called $missing'],
  ['(func $f (result i32) (i32.dance 1))', 'no instruction i32.dance'],
  ['(func $f (br $out))', 'no block $out'],
  ['(func $f (param $a i31))', 'no type i31'],
  ['(func $f', 'a bracket is missing'],
  ['(func $f))', 'a bracket too many'],
])('%s is refused: %s', (program, complaint) => {
  expect(() => assemble(program, 1)).toThrow(complaint);
});
