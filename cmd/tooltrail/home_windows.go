package main

const stateVariable = "LocalAppData"

var stateUnderHome = []string{"AppData", "Local"}

const configVariable = "AppData"

var configUnderHome = []string{"AppData", "Roaming"}
