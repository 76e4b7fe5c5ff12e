/** `a: HAProxy does not run`, a report of then from machine `a`, as `a reported: HAProxy does not run`; others as they are. */
export const reportedBy = (machine: string, text: string): string =>
  text.startsWith(`${machine}: `) ? `${machine} reported: ${text.slice(machine.length + 2)}` : text
