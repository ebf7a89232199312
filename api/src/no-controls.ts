/** Text without control characters: PostgreSQL keeps no NUL, and a name is one line. */
export const NO_CONTROLS = /^\P{Cc}*$/u;
