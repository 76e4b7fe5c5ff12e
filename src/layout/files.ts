/** The command `tandem agent fill`. */
export const fillProgram = 'fill'
