/** Unit of times in /proc/PID/stat: USER_HZ on Linux. */
const clockTicks = 100

/** Seconds of CPU time, from `/proc/PID/stat`. */
export function cpuSecondsIn(stat: string): number {
  const fields = stat.split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / clockTicks
}

/** Resident memory in megabytes, from `/proc/PID/status`. */
export function residentMegabytesIn(status: string): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

/** Memory without the pages of the program's file, which all its processes share: `RssAnon` (proc(5)). */
export const ownMegabytesIn = (status: string): number => Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
