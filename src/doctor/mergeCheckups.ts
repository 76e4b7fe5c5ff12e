import { mostFindings, type Checkup, type Finding } from '../protocol/checkup.ts'

/**
 * Merges the controller's findings with those of the machine itself (`null` if it did not answer); equal findings
 * appear once.
 */
export function mergeCheckups(known: Checkup, own: Checkup | null): Checkup {
  const all = [...known.findings, ...(own?.findings ?? [])]
  const findings = all.filter((one, index) => all.findIndex((other) => isSame(one, other)) === index)
  return {
    machine: known.machine,
    checked: [...new Set([...known.checked, ...(own?.checked ?? [])])],
    findings: findings.slice(0, mostFindings),
    ...(own?.certificates ? { certificates: own.certificates } : {}),
  }
}

const isSame = (one: Finding, other: Finding): boolean => one.area === other.area && one.what === other.what
