//go:build tools

// Package tools pins the Pulumi CLI that moorage builds where Pulumi's installer cannot be reached.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
