package main

import (
	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/producer"
)

// tenantFlag names the tenant whose mail is meant by an id that several tenants have.
const tenantFlag = "tenant"

func whose(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().String(tenantFlag, "", `whose mail is meant, if several tenants have one of this id; "" is the platform`)
	return cmd
}

// of is a client that knows the mails of the tenant alone that the command line names.
func of(cmd *cobra.Command, mail *producer.Client) *producer.Client {
	if f := cmd.Flag(tenantFlag); f.Changed {
		return mail.ForTenant(f.Value.String())
	}
	return mail
}
