// Times and sizes as short text. Local time zone, 24-hour clock, because rows are compared with other logs. Pure.
import { text } from "../text";

const pad = (value: number, width = 2) => String(value).padStart(width, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function clock(at: number): string {
  const date = new Date(at);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}`;
}
export function clockSeconds(at: number): string {
  return `${clock(at)}:${pad(new Date(at).getSeconds())}`;
}
export function clockExact(at: number): string {
  return `${clockSeconds(at)}.${pad(new Date(at).getMilliseconds(), 3)}`;
}
export function day(at: number): string {
  const date = new Date(at);
  return `${date.getDate()} ${MONTHS[date.getMonth()]}`;
}
const sameDay = (a: number, b: number) => new Date(a).toDateString() === new Date(b).toDateString();

/** `14:02` today, `yesterday`, else `19 Nov`. */
export function shortWhen(at: number, now: number): string {
  if (sameDay(at, now)) return clock(at);
  if (sameDay(at, now - 86_400_000)) return text.time.yesterday;
  return day(at);
}
/** The same inside a sentence: `at 14:02`, `yesterday`, `on 19 Nov`. */
export function onWhen(at: number, now: number): string {
  if (sameDay(at, now)) return text.time.at(clock(at));
  if (sameDay(at, now - 86_400_000)) return text.time.yesterday;
  return text.time.on(day(at));
}
/** `14:02:07`, on another day `19 Nov 14:02`. */
export function rowWhen(at: number, now: number): string {
  return sameDay(at, now) ? clockSeconds(at) : `${day(at)} ${clock(at)}`;
}
export function fullWhen(at: number): string {
  return `${day(at)} ${new Date(at).getFullYear()}, ${clockExact(at)}`;
}

export function ago(at: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 1) return text.time.now;
  if (seconds < 60) return text.time.seconds(seconds);
  if (seconds < 3600) return text.time.minutes(Math.floor(seconds / 60));
  if (seconds < 86_400) return text.time.hours(Math.floor(seconds / 3600));
  return text.time.days(Math.floor(seconds / 86_400));
}

/** Microseconds as milliseconds: `0.3`, `4`, `212`. */
export function ms(us: number): string {
  const value = us / 1000;
  if (value >= 10) return String(Math.round(value));
  if (value >= 1) return value.toFixed(1).replace(/\.0$/, "");
  return value < 0.05 ? value.toFixed(2) : value.toFixed(1);
}
export function bytes(count: number): string {
  if (count < 1000) return text.bytes.b(count);
  if (count < 1_000_000) return text.bytes.kb((count / 1000).toFixed(count < 10_000 ? 1 : 0));
  return text.bytes.mb((count / 1_000_000).toFixed(1));
}
