import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = '/sys/fs/cgroup'
/** Places where systemd keeps its own tree: v2 alone, v2 beside v1 controllers, v1. */
const trees = [root, join(root, 'unified'), join(root, 'systemd')]

/**
 * Every process in the control group of a unit and in the groups below; `group` in systemd's notation, such as
 * `/system.slice/x.service`.
 */
export function pidsOf(group: string): number[] {
  if (group === '') return []
  const tree = trees.find((folder) => existsSync(join(folder, group, 'cgroup.procs')))
  return tree === undefined ? [] : below(join(tree, group))
}

function below(folder: string): number[] {
  try {
    const own = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
    const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    return [...own, ...children.flatMap(({ name }) => below(join(folder, name)))]
  } catch {
    return [] // the group ended meanwhile
  }
}
