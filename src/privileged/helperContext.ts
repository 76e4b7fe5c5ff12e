import type { Examine } from './examine.ts'
import type { RootFolder } from './rootFolder.ts'

/** The things that every part of the privileged helper may use. */
export interface HelperContext {
  /** The data folder of the agent. */
  data: string
  folder: RootFolder
  /** The users and groups that run without privileges. */
  unprivileged: { uid: number; gid: number; haproxyGroup: string }
  examine: Examine
  now: () => number
}
