/**
 * Test programs that start another process, written in shell. `family`: prints `child up`; at its stop signal it prints
 * `main told`, a moment later `main ends`, and ends; its child prints `child told` at SIGTERM. `leaves`: ends 1.5 s
 * after its stop signal; its child ignores SIGTERM. `crashes`: ends with status 3, with the child of `family`.
 * `crashesHard`: ends with status 3, with the child of `leaves`. Each sets its trap before it starts its child, whose line
 * says that the program is ready.
 */
export type Family = 'family' | 'leaves' | 'crashes' | 'crashesHard'

const child = `trap "echo child told; exit" TERM; echo child up; while :; do sleep 0.05; done`
const stubbornChild = `trap "" TERM; echo child up; while :; do sleep 0.05; done`
const crash = (of: string): string => `sh -c '${of}' & sleep 0.5; exit 3`
const until = 'while :; do sleep 0.05; done'

export const families: Record<Family, string[]> = {
  family: ['/bin/sh', '-c', `trap 'echo main told; sleep 0.3; echo main ends; exit' TERM; sh -c '${child}' & ${until}`],
  leaves: ['/bin/sh', '-c', `trap 'sleep 1.5; exit' TERM; sh -c '${stubbornChild}' & ${until}`],
  crashes: ['/bin/sh', '-c', crash(child)],
  crashesHard: ['/bin/sh', '-c', crash(stubbornChild)],
}
