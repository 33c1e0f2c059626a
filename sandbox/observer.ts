/** Credentials of whoever checks a sandbox from outside: to them no Describe call is late. Nothing of Handover has them. */
export const observer = { accessKeyId: "observer", secretAccessKey: "observer" };
