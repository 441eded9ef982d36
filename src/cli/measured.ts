/** `candidate 1 · cosine 0.82 · item share 0.7 …` */
export function measuredLine({ rank, values }: { rank: number; values: { [feature: string]: number } }): string {
  const features = Object.entries(values).map(([name, value]) => `${name.replaceAll('_', ' ')} ${value}`);
  return [`candidate ${rank}`, ...features].join(' · ');
}
