/** Something the lab asks for. */
export interface LabTask {
  /** The tag of the cell where it is answered. */
  tag: string;
  /** Its number in the lab's text. */
  number: string;
  /** What is asked for. */
  asks: string;
  /** The notebook it belongs to, for where no cell has the tag. */
  notebook: number;
  /** Where its code is. */
  code: readonly string[];
}

/** Each task and question of the lab, for the marker's page. */
export const LAB_TASKS: readonly LabTask[] = [
  {
    tag: "lab-2.1-init",
    number: "2.1",
    asks: "The network's parts: backbone, embeddings, weights generator, score predictor",
    notebook: 1,
    code: ["lib/model/create_network.ts", "lib/model/backbone.ts"],
  },
  {
    tag: "lab-2.1-forward",
    number: "2.1",
    asks: "Forward pass: feature map, generated filters, response maps, scores",
    notebook: 1,
    code: ["lib/model/network.ts", "lib/model/filters.ts", "lib/model/dynamic_convolution.ts"],
  },
  {
    tag: "lab-2.2-save",
    number: "2.2",
    asks: "Training, and saving the model when it is better",
    notebook: 2,
    code: ["lib/training/train.ts", "lib/training/checkpoint.ts"],
  },
  {
    tag: "lab-2.2-resume",
    number: "2.2",
    asks: "Loading a model and resuming its training",
    notebook: 2,
    code: ["lib/training/start_training.ts", "lib/training/checkpoint.ts"],
  },
  {
    tag: "lab-2.3-statistics",
    number: "2.3",
    asks: "Statistics of the training: loss and accuracy",
    notebook: 2,
    code: ["lib/training/evaluate.ts", "lib/figures/training_curves.ts"],
  },
  {
    tag: "lab-2.3-comparison",
    number: "2.3",
    asks: "Comparison with the same network without the dynamic mechanism",
    notebook: 3,
    code: ["lib/experiments/comparison.ts", "lib/model/filters.ts"],
  },
  {
    tag: "lab-3.1-visualisation",
    number: "3.1",
    asks: "Response maps of a correctly labelled test image",
    notebook: 5,
    code: ["lib/figures/response_maps.ts"],
  },
  {
    tag: "lab-3.1-usage",
    number: "3.1",
    asks: "What the response maps can be used for",
    notebook: 5,
    code: ["lib/analysis/deletion.ts", "lib/analysis/pointing.ts"],
  },
  {
    tag: "lab-3.2-frozen",
    number: "3.2",
    asks: "What happens with a frozen backbone, why, and ways out",
    notebook: 4,
    code: ["lib/model/adapter.ts", "lib/analysis/drift.ts"],
  },
  {
    tag: "lab-3.2-advantages",
    number: "3.2",
    asks: "At least two advantages of dynamic filters",
    notebook: 5,
    code: [],
  },
  {
    tag: "lab-3.2-downsides",
    number: "3.2",
    asks: "At least two downsides of dynamic filters",
    notebook: 5,
    code: [],
  },
];
