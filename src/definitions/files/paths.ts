export const mostFiles = 50
/** Largest template, in bytes. */
export const mostTemplateBytes = 256 * 1024
/** All files of a service: systemd takes 1 MiB of credentials for a unit, secrets included. */
export const mostFilesBytes = 600_000

/** The folder of the files, as a variable of programs. */
export const filesVariable = 'TANDEM_FILES'

const segment = '(?!\\.{1,2}(?:/|$)|__proto__$|constructor$)[A-Za-z0-9_.@+-]{1,100}'

/** Below $TANDEM_FILES, or in the release. */
export const filePath = new RegExp(`^${segment}(?:/${segment}){0,7}$`)
export const filePathRule =
  'a path such as etc/app.conf: letters, digits, dots, dashes, underscores, @ and +, at most eight folders deep'
