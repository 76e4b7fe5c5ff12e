/** Names that are valid as a file name, as the name of a unit or control group, and as a log field. */
const nameShape = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

export function checkName(name: string): void {
  if (!nameShape.test(name)) throw new Error(`"${name}" is not a valid name for an instance or a service`)
}
