// How numbers are written.
export const number = (value: number) => value.toLocaleString("en-US");
export const times = (count: number) => (count === 1 ? "once" : `${number(count)} times`);
export const plural = (count: number, one: string, many = `${one}s`) =>
  `${number(count)} ${count === 1 ? one : many}`;
