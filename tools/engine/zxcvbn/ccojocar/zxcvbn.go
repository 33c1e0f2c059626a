// Package zxcvbn stands in for the judge of passwords with which `pulumi config set` warns of a value that looks like a
// secret. Its dictionaries are read at every start of the engine, half of the time that it takes.
package zxcvbn

// Result says how hard a value is to guess; here, of every value, that it is not a secret.
type Result struct{ Entropy float64 }

// PasswordStrength judges nothing.
func PasswordStrength(string, []string) Result { return Result{} }
