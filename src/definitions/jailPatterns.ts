const byte = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`
const ipv4 = String.raw`(?:${byte}\.){3}${byte}`
const hextet = '[0-9a-fA-F]{1,4}'
/** Eight groups, or fewer with one `::`. */
const ipv6 = `(?:(?:${hextet}:){7}${hextet}|(?=.*::)(?!.*::.*::)(?!.*:::)(?:${hextet})?:(?:(?:${hextet})?:){1,6}(?:${hextet})?)`

/** Allowed entries of each list in `jail`. The entries are written into unit files, so nothing else is allowed. */
export const jailPatterns = {
  path: /^\/[A-Za-z0-9._/@+-]{1,254}$/,
  /** Folders for the variable data of programs, and for software that a machine's owner adds. */
  scratch: /^\/(?:var|run|srv|opt|mnt)(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9._@+-]+){1,20}$/,
  capability: /^CAP_[A-Z_]{2,40}$/,
  addressFamily: /^AF_[A-Z0-9]{2,20}$/,
  systemCall: /^@?[a-z0-9_-]{2,60}$/,
  /** IPv4 or IPv6, a single address or a block. */
  address: new RegExp(`^(?:localhost|${ipv4}(?:/(?:3[0-2]|[12]?\\d))?|${ipv6}(?:/(?:12[0-8]|1[01]\\d|\\d?\\d))?)$`),
  user: /^[a-z_][a-z0-9_-]{0,30}$/,
} as const
