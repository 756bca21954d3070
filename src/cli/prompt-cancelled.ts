/** Ctrl-C at a question: the terminal is in raw mode there, so it comes as an error of the prompt and not as a signal. */
export const isPromptCancelled = (error: unknown): boolean =>
  error instanceof Error && ['ExitPromptError', 'AbortPromptError'].includes(error.name)
