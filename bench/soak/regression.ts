// A straight line through points, and how sure its slope is.

/** y = intercept + slope * x. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
  /** Standard error of the slope; the points are taken as independent of each other. */
  readonly error: number;
}

/** Least squares. `RangeError` for fewer than three points, or where all have the same x. */
export function regression(points: readonly (readonly [x: number, y: number])[]): Line {
  const count = points.length;
  if (count < 3) throw new RangeError(`no line through ${count} points`);
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (spread === 0) throw new RangeError('all points have the same x');
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const intercept = meanY - slope * meanX;
  const residual = points.reduce((sum, [x, y]) => sum + (y - intercept - slope * x) ** 2, 0);
  return { slope, intercept, error: Math.sqrt(residual / (count - 2) / spread) };
}
