/** Corners of the triangle in its drawing, 100 wide and 90 high: the first class left, the second right. */
const CORNERS = [[8, 78], [92, 78], [50, 12]] as const;

/** Returns the place of a mixture of three classes. */
export function placeInTriangle(shares: readonly number[]): [x: number, y: number] {
  const sum = (axis: 0 | 1) => CORNERS.reduce((total, corner, at) => total + shares[at] * corner[axis], 0);
  return [sum(0), sum(1)];
}

/** Returns the mixture at a place; outside the triangle that of the nearest place within, roughly. */
export function sharesAt(x: number, y: number): [number, number, number] {
  const [[x1, y1], [x2, y2], [x3, y3]] = CORNERS;
  const area = (x2 - x1) * (y3 - y1) - (x3 - x1) * (y2 - y1);
  const two = ((x - x1) * (y3 - y1) - (x3 - x1) * (y - y1)) / area;
  const three = ((x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)) / area;
  const inside = [1 - two - three, two, three].map((share) => Math.max(0, share));
  const total = inside.reduce((sum, share) => sum + share, 0);
  return [inside[0] / total, inside[1] / total, inside[2] / total];
}
