// Chords: there when all buttons are down, and were pressed soon enough after each other.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChordRecognizer } from './chord.js';

describe('a chord', () => {
  it('is made by the last press', () => {
    const chord = new ChordRecognizer(3, 100);
    expect([chord.press(2, 0), chord.press(0, 60), chord.press(1, 100)]).toEqual([false, false, true]);
  });

  it('is none when a press comes late, or after a release', () => {
    const chord = new ChordRecognizer(2, 100);
    expect([chord.press(0, 0), chord.press(1, 101)]).toEqual([false, false]);
    chord.release(0, 150);
    chord.release(1, 160);
    expect(chord.press(0, 200)).toBe(false);
    chord.release(0, 240);
    expect(chord.press(1, 250)).toBe(false);
  });

  it('goes by the stamps when edges of one line are told of before those of another', () => {
    const chord = new ChordRecognizer(2, 100);
    expect([chord.press(1, 90), chord.press(0, 0)]).toEqual([false, true]);
  });

  it('is one also when all edges of one line, its release too, are told of before those of another', () => {
    const chord = new ChordRecognizer(2, 100);
    chord.press(0, 0);
    chord.release(0, 50);
    expect(chord.press(1, 20)).toBe(true);
    chord.release(1, 60);
    chord.press(0, 1_000);
    chord.release(0, 1_050);
    expect(chord.press(1, 1_050)).toBe(false);
  });

  it('is one of presses that waited for this process, whose stamps are below 0', () => {
    const chord = new ChordRecognizer(2, 100);
    expect([chord.press(0, -90), chord.press(1, -10)]).toEqual([false, true]);
  });

  it('comes again when all were let go and pressed anew, and not before', () => {
    const chord = new ChordRecognizer(2, 100);
    chord.press(0, 0);
    expect(chord.press(1, 10)).toBe(true);
    chord.release(1, 15);
    expect(chord.press(1, 20)).toBe(false);
    chord.release(0, 25);
    expect(chord.press(0, 30)).toBe(true);
  });

  it('is made exactly when the last presses of all buttons, which are down, are close', () => {
    const events = fc.array(fc.record({ button: fc.nat(2), passed: fc.nat(80), down: fc.boolean() }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(events, (list) => {
        const chord = new ChordRecognizer(3, 100);
        const downSince = new Map<number, number>();
        let now = 0;
        for (const { button, passed, down } of list) {
          now += passed;
          if (!down) {
            chord.release(button, now);
            downSince.delete(button);
            continue;
          }
          downSince.set(button, now);
          const oldest = Math.min(...downSince.values());
          const made = downSince.size === 3 && now - oldest <= 100;
          expect(chord.press(button, now)).toBe(made);
          if (made) downSince.clear();
        }
      }),
    );
  });
});
