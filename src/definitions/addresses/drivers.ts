interface AddressAbilities {
  program: keyof typeof addressPrograms | null
  /**
   * Who decides which machine holds a virtual address: the machines among themselves, by announcements; scripts of the
   * operator, which every machine runs; or nobody: addresses do not move.
   */
  moves: 'elected' | 'scripted' | 'never'
}

/** The programs of the system that the drivers of virtual addresses need. */
export const addressPrograms = { keepalived: { least: '2.2', version: ['keepalived', '--version'] } } as const

export const addressDrivers = {
  keepalived: { program: 'keepalived', moves: 'elected' },
  command: { program: null, moves: 'scripted' },
  none: { program: null, moves: 'never' },
} as const satisfies Record<string, AddressAbilities>

export const addressKind = {
  drivers: addressDrivers,
  usual: 'keepalived',
  laptop: 'none',
  does: 'Moves virtual addresses',
} as const

/** Of a machine that is not in the cluster file: addresses do not move. */
export const addressMoves = (
  drivers: { address: keyof typeof addressDrivers } | undefined,
): AddressAbilities['moves'] => (drivers ? addressDrivers[drivers.address].moves : 'never')
