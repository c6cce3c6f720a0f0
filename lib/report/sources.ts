/** A work that the report may cite: an entry of `references.yml`. */
export interface Source {
  /** Its name there. */
  key: string;
  /** What text calls it. */
  names: RegExp;
}

/** Works, and the words behind which they are cited; works that nothing names are not listed. */
export const SOURCES: readonly Source[] = [
  {
    key: "debrabandere2016",
    names: /De Brabandere et al\.?(?: \(?2016\)?)?|\b[Dd]ynamic [Ff]ilter [Nn]etworks?\b/,
  },
  { key: "he2016", names: /\bResNet-18\b/ },
  { key: "krizhevsky2009", names: /\bCIFAR-10\b/ },
  { key: "deng2009", names: /\bImageNet\b/ },
  { key: "ioffe2015", names: /\b[Bb]atch[- ]norm(?:alisation|alization)?\b/ },
  { key: "smith2018", names: /\bone-cycle\b|\bsuper-?convergence\b/i },
  { key: "lavin2016", names: /\bWinograd(?:'s)?\b/ },
  { key: "vaswani2017", names: /\bas in attention\b|Vaswani et al\.?/ },
  { key: "petsiuk2018", names: /\bRISE\b|Petsiuk et al\.?|\bdeletion and insertion\b/i },
  { key: "zhang2018", names: /\bpointing game\b|Zhang et al\.?/i },
  { key: "zeiler2014", names: /\bocclusion\b|Zeiler (?:and|&) Fergus/i },
  { key: "alain2017", names: /\blinear probes?\b|Alain (?:and|&) Bengio/i },
  { key: "kornblith2019", names: /\bcentred kernel alignment\b|\bCKA\b/ },
  { key: "luo2016", names: /\beffective receptive fields?\b|Luo et al\.?/i },
  { key: "li2017", names: /\bAdaBN\b|Li et al\.?/ },
  { key: "frankle2021", names: /Frankle et al\.?/ },
  { key: "smilkov2019", names: /\bTensorFlow\.js\b/ },
  { key: "paszke2019", names: /\bPyTorch(?:'s)?\b/ },
];
