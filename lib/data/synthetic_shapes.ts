/**
 * The ten classes as small drawings, in coordinates from −1 (left, top) to 1 (right, bottom).
 *
 * @module
 */

/** Red, green, blue, 0–255. */
export type Colour = [red: number, green: number, blue: number];

/** A drawing is a body and, on top of it, details in a second colour. */
export interface Drawing {
  /** A colour that the ground often has. */
  ground: Colour;
  /** A colour that the body often has. */
  colour: Colour;
  body: Shape[];
  detail: Shape[];
}

/** Says whether a point belongs to the shape. */
type Shape = (x: number, y: number) => boolean;

const ellipse = (centreX: number, centreY: number, radiusX: number, radiusY: number): Shape => (x, y) =>
  ((x - centreX) / radiusX) ** 2 + ((y - centreY) / radiusY) ** 2 <= 1;

const box = (left: number, top: number, right: number, bottom: number): Shape => (x, y) =>
  left <= x && x <= right && top <= y && y <= bottom;

/** A convex polygon, its corners in turn: x, y, x, y … */
const polygon = (...corners: number[]): Shape => (x, y) => {
  let sides = 0;
  for (let at = 0; at < corners.length; at += 2) {
    const [x1, y1] = [corners[at], corners[at + 1]];
    const [x2, y2] = [corners[(at + 2) % corners.length], corners[(at + 3) % corners.length]];
    sides += (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) >= 0 ? 1 : -1;
  }
  return Math.abs(sides) === corners.length / 2;
};

/** A stroke with round ends through points: x, y, x, y … */
const stroke = (width: number, ...points: number[]): Shape => (x, y) => {
  for (let at = 0; at + 3 < points.length; at += 2) {
    const [dx, dy] = [points[at + 2] - points[at], points[at + 3] - points[at + 1]];
    const along = ((x - points[at]) * dx + (y - points[at + 1]) * dy) / (dx * dx + dy * dy);
    const nearest = Math.min(1, Math.max(0, along));
    const distance = (x - points[at] - nearest * dx) ** 2 + (y - points[at + 1] - nearest * dy) ** 2;
    if (distance <= width * width / 4) return true;
  }
  return false;
};

/** One drawing for each class, in the order of `CLASS_NAMES`. */
export const DRAWINGS: Drawing[] = [
  { // airplane
    ground: [120, 170, 225],
    colour: [205, 210, 220],
    body: [
      ellipse(0, 0, 0.95, 0.17),
      polygon(-0.95, -0.5, -0.72, -0.5, -0.5, 0, -0.85, 0),
      polygon(-0.1, 0, 0.32, 0, -0.28, 0.62, -0.5, 0.62),
      polygon(0, -0.05, 0.25, -0.05, -0.1, -0.42, -0.25, -0.42),
    ],
    detail: [
      box(-0.5, -0.07, -0.38, 0.02),
      box(-0.2, -0.07, -0.08, 0.02),
      box(0.1, -0.07, 0.22, 0.02),
      box(0.55, -0.09, 0.75, 0),
    ],
  },
  { // automobile
    ground: [130, 130, 135],
    colour: [200, 55, 45],
    body: [box(-0.92, 0, 0.92, 0.4), polygon(-0.62, 0.02, -0.38, -0.42, 0.3, -0.42, 0.58, 0.02)],
    detail: [
      ellipse(-0.52, 0.42, 0.23, 0.23),
      ellipse(0.52, 0.42, 0.23, 0.23),
      polygon(-0.45, -0.02, -0.3, -0.32, -0.06, -0.32, -0.06, -0.02),
      polygon(0.04, -0.02, 0.04, -0.32, 0.24, -0.32, 0.42, -0.02),
    ],
  },
  { // bird
    ground: [170, 195, 175],
    colour: [140, 95, 60],
    body: [
      ellipse(0, 0.08, 0.55, 0.34),
      ellipse(0.5, -0.3, 0.24, 0.22),
      polygon(0.7, -0.36, 0.98, -0.24, 0.7, -0.18),
      polygon(-0.35, 0, -0.95, -0.12, -0.9, 0.2, -0.35, 0.25),
    ],
    detail: [
      ellipse(0.56, -0.36, 0.06, 0.06),
      ellipse(-0.12, 0.06, 0.34, 0.16),
      stroke(0.07, 0, 0.4, 0, 0.8, 0.16, 0.8),
      stroke(0.07, 0.2, 0.38, 0.24, 0.8, 0.38, 0.8),
    ],
  },
  { // cat
    ground: [190, 165, 135],
    colour: [215, 140, 70],
    body: [
      ellipse(0, -0.25, 0.46, 0.4),
      polygon(-0.46, -0.85, -0.44, -0.25, -0.08, -0.55),
      polygon(0.46, -0.85, 0.44, -0.25, 0.08, -0.55),
      ellipse(0, 0.5, 0.42, 0.45),
      stroke(0.15, 0.3, 0.8, 0.72, 0.72, 0.78, 0.25),
    ],
    detail: [
      ellipse(-0.18, -0.32, 0.09, 0.1),
      ellipse(0.18, -0.32, 0.09, 0.1),
      ellipse(0, -0.12, 0.07, 0.06),
      stroke(0.05, -0.2, -0.08, -0.62, -0.02),
      stroke(0.05, 0.2, -0.08, 0.62, -0.02),
      stroke(0.06, 0, 0.55, 0, 0.92),
    ],
  },
  { // deer
    ground: [70, 105, 60],
    colour: [165, 115, 70],
    body: [
      ellipse(-0.1, 0.15, 0.55, 0.26),
      stroke(0.2, 0.3, 0.1, 0.52, -0.35),
      ellipse(0.62, -0.42, 0.25, 0.13),
      stroke(0.1, -0.5, 0.25, -0.54, 0.92),
      stroke(0.1, -0.3, 0.3, -0.28, 0.92),
      stroke(0.1, 0.18, 0.3, 0.16, 0.92),
      stroke(0.1, 0.34, 0.2, 0.4, 0.92),
    ],
    detail: [
      stroke(0.07, 0.5, -0.5, 0.3, -0.75, 0.34, -0.98),
      stroke(0.07, 0.3, -0.75, 0.08, -0.86),
      stroke(0.07, 0.56, -0.52, 0.66, -0.78, 0.58, -0.98),
      stroke(0.07, 0.66, -0.78, 0.88, -0.9),
      ellipse(-0.62, 0.05, 0.1, 0.1),
    ],
  },
  { // dog
    ground: [120, 160, 80],
    colour: [225, 215, 195],
    body: [
      ellipse(-0.12, 0.18, 0.52, 0.26),
      ellipse(0.5, -0.2, 0.28, 0.27),
      ellipse(0.78, -0.1, 0.2, 0.13),
      stroke(0.18, -0.46, 0.25, -0.48, 0.75),
      stroke(0.18, 0.2, 0.3, 0.2, 0.75),
      stroke(0.12, -0.6, 0.1, -0.85, -0.35),
    ],
    detail: [
      ellipse(0.34, -0.1, 0.12, 0.3),
      ellipse(0.58, -0.28, 0.06, 0.06),
      ellipse(0.95, -0.14, 0.07, 0.07),
      box(-0.08, -0.05, 0.02, 0.42),
    ],
  },
  { // frog
    ground: [95, 85, 55],
    colour: [105, 165, 60],
    body: [
      ellipse(0, 0.2, 0.66, 0.42),
      ellipse(-0.32, -0.24, 0.22, 0.22),
      ellipse(0.32, -0.24, 0.22, 0.22),
      stroke(0.2, -0.5, 0.3, -0.88, 0.1, -0.8, 0.68, -0.5, 0.72),
      stroke(0.2, 0.5, 0.3, 0.88, 0.1, 0.8, 0.68, 0.5, 0.72),
    ],
    detail: [
      ellipse(-0.32, -0.26, 0.1, 0.12),
      ellipse(0.32, -0.26, 0.1, 0.12),
      stroke(0.07, -0.4, 0.14, -0.15, 0.28, 0.15, 0.28, 0.4, 0.14),
    ],
  },
  { // horse
    ground: [150, 155, 105],
    colour: [95, 60, 40],
    body: [
      ellipse(-0.1, 0.1, 0.58, 0.28),
      polygon(0.15, 0.1, 0.48, 0.1, 0.7, -0.6, 0.4, -0.7),
      polygon(0.42, -0.75, 0.62, -0.82, 1, -0.4, 0.84, -0.26),
      stroke(0.14, -0.52, 0.2, -0.54, 0.92),
      stroke(0.14, -0.32, 0.25, -0.28, 0.92),
      stroke(0.14, 0.18, 0.25, 0.16, 0.92),
      stroke(0.14, 0.36, 0.15, 0.4, 0.92),
    ],
    detail: [
      polygon(0.1, 0, 0.28, -0.05, 0.5, -0.85, 0.32, -0.85),
      stroke(0.16, -0.65, -0.02, -0.86, 0.12, -0.84, 0.6),
    ],
  },
  { // ship
    ground: [60, 110, 170],
    colour: [225, 225, 225],
    body: [
      polygon(-0.95, 0.2, 0.98, 0.2, 0.72, 0.68, -0.75, 0.68),
      box(-0.6, -0.15, 0.4, 0.22),
      box(-0.4, -0.42, 0.12, -0.12),
    ],
    detail: [
      box(-0.28, -0.82, -0.06, -0.42),
      box(-0.9, 0.28, 0.9, 0.38),
      box(-0.5, -0.04, -0.36, 0.08),
      box(-0.22, -0.04, -0.08, 0.08),
      box(0.06, -0.04, 0.2, 0.08),
    ],
  },
  { // truck
    ground: [165, 155, 145],
    colour: [220, 185, 60],
    body: [box(-0.95, -0.55, 0.36, 0.4), polygon(0.42, 0.4, 0.42, -0.2, 0.76, -0.2, 0.95, 0.1, 0.95, 0.4)],
    detail: [
      ellipse(-0.62, 0.45, 0.2, 0.2),
      ellipse(-0.14, 0.45, 0.2, 0.2),
      ellipse(0.66, 0.45, 0.2, 0.2),
      polygon(0.5, 0.08, 0.5, -0.12, 0.72, -0.12, 0.84, 0.08),
      box(-0.85, -0.12, 0.26, -0.02),
    ],
  },
];
