/** A work that the report may cite: an entry of `references.yml`. */
export interface Source {
  /** Its name there. */
  key: string;
  /** What text calls it. */
  names: RegExp;
}

/** Works, and the words behind which they are cited; works that nothing names are not listed. */
export const SOURCES: readonly Source[] = [
  source("debrabandere2016", "De Brabandere et al.", /[Dd]ynamic [Ff]ilter [Nn]etworks?/),
  source("he2016", "He et al.", /ResNet-18/),
  source("krizhevsky2009", "Krizhevsky", /CIFAR-10/),
  source("deng2009", "Deng et al.", /ImageNet/),
  source("ioffe2015", "Ioffe and Szegedy", /[Bb]atch[- ]normali[sz]ation/),
  source("smith2018", "Smith and Topin", /one-cycle|super-convergence/i),
  source("lavin2016", "Lavin and Gray", /Winograd/),
  source("vaswani2017", "Vaswani et al.", /as in attention/),
  source("petsiuk2018", "Petsiuk et al.", /RISE/),
  source("zhang2018", "Zhang et al.", /pointing game/),
  source("zeiler2014", "Zeiler and Fergus"),
  source("alain2017", "Alain and Bengio", /linear probes?/),
  source("kornblith2019", "Kornblith et al.", /CKA/),
  source("luo2016", "Luo et al."),
  source("li2017", "Li et al.", /AdaBN/),
  source("frankle2021", "Frankle et al."),
  source("smilkov2019", "Smilkov et al.", /TensorFlow\.js/),
  source("paszke2019", "Paszke et al.", /PyTorch/),
];

/** A work by its authors, with or without the year, or by what it is known for. */
function source(key: string, authors: string, subject?: RegExp): Source {
  const year = "(?:,?\\s\\(?\\d{4}\\b\\)?)?";
  const named = RegExp.escape(authors).replace(/\\x20/g, "\\s").replace("\\sand\\s", "\\s(?:and|&)\\s");
  return {
    key,
    names: new RegExp(
      `\\b${named}${year}${subject === undefined ? "" : `|\\b(?:${subject.source})(?:['’]s)?\\b`}`,
      subject?.flags,
    ),
  };
}
