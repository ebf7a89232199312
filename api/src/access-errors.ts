/** What can go wrong when somebody alters who may do what. */
export const ACCESS_ERRORS = {
  GRANT_EXCEEDS: {
    status: 403,
    message: "nobody hands on what they may not do themselves: {permissions} for {scope}",
    remedy: "Choose a smaller role or scope, or ask somebody who holds it.",
  },
  LAST_ADMIN: {
    status: 409,
    message: "nobody would be left who may administer the whole platform",
    remedy: "Make somebody else an admin first: 'mainstay grants add <subject> --role admin'.",
  },
  ROLE_IN_USE: {
    status: 409,
    message: "the role {role} is granted {count} times",
    remedy: "Remove those grants first; 'mainstay grants list --role {role}' lists them.",
  },
  ROLE_BUILT_IN: {
    status: 409,
    message: "{role} is a role that every installation has",
    remedy: "Remove its grants instead; 'mainstay grants list --role {role}' lists them.",
  },
  KEY_ADDRESSES: {
    status: 422,
    message: "{reason}",
    remedy: "Give addresses or ranges such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32.",
  },
  ACCESS_EXISTS: {
    status: 409,
    message: "{what} exists already",
    remedy: "Choose another name, or use the one that is there.",
  },
  ACCESS_LIMIT: {
    status: 409,
    message: "there are {count} {what} already, as many as there may be",
    remedy: "Remove those that nobody needs.",
  },
} as const;
