import { registerHooks } from 'node:module'

/*
 * zod has its messages in 60 languages, each in a file, and loads them all: a tenth of the time of a short command.
 * Tandem speaks English. In the shipped program everything is one file, and nothing is loaded here.
 */
registerHooks({
  resolve: (specifier, context, next) => {
    const isList = specifier === '../locales/index.js' && context.parentURL?.includes('/node_modules/zod/') === true
    return next(isList ? '../locales/en.js' : specifier, context)
  },
})
