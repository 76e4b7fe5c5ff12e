import { mostFindings, type Checkup, type Finding } from '../protocol/checkup.ts'

/** What the controller knows of a machine, and what the machine found of itself (`null`: it did not answer); what both say, once. */
export function mergeCheckups(known: Checkup, own: Checkup | null): Checkup {
  const all = [...known.findings, ...(own?.findings ?? [])]
  const findings = all.filter((one, index) => all.findIndex((other) => isSame(one, other)) === index)
  return {
    machine: known.machine,
    checked: [...new Set([...known.checked, ...(own?.checked ?? [])])],
    findings: findings.slice(0, mostFindings),
  }
}

const isSame = (one: Finding, other: Finding): boolean => one.area === other.area && one.what === other.what
