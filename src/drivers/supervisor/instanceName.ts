/** What a file name, a unit's or control group's name and a log field can all carry. */
const nameShape = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

export function checkName(name: string): void {
  if (!nameShape.test(name)) throw new Error(`"${name}" cannot name an instance or a service`)
}
