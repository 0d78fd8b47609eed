// How results are shown: every one, then medians and minima, which other work on the machine disturbs least.
export function line({ wallSeconds, cpuSeconds, peakMiB }) {
  return `${wallSeconds.toFixed(2).padStart(7)} s wall  ${cpuSeconds.toFixed(2).padStart(7)} s cpu  ${peakMiB.toFixed(0).padStart(5)} MiB peak`
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2
}

export const lowest = (values) => Math.min(...values)

/** Proportions of two lists, by median and by minimum. */
export function ratios(ours, theirs) {
  return `${(median(ours) / median(theirs)).toFixed(2)} by medians, ${(lowest(ours) / lowest(theirs)).toFixed(2)} by minima`
}

/** All ways to call a round's order, so that nobody is always first. */
export function turned(list, round) {
  const at = round % list.length
  return [...list.slice(at), ...list.slice(0, at)]
}
