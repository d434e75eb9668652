# java.sh install|install-load|run: azure-identity and azure-security-keyvault-keys for Java; mssql-jdbc.
set -e
case $1 in
install)
    mkdir -p "$PEERS/java/src/main/java"
    cd "$PEERS/java"
    cp "$HERE/Client.java" src/main/java/
    cat >pom.xml <<'END'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>peers</groupId>
  <artifactId>client</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.source>17</maven.compiler.source>
    <maven.compiler.target>17</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencyManagement>
    <dependencies>
      <dependency>
        <groupId>com.azure</groupId>
        <artifactId>azure-sdk-bom</artifactId>
        <version>1.3.8</version>
        <type>pom</type>
        <scope>import</scope>
      </dependency>
    </dependencies>
  </dependencyManagement>
  <dependencies>
    <dependency><groupId>com.azure</groupId><artifactId>azure-identity</artifactId></dependency>
    <dependency><groupId>com.microsoft.sqlserver</groupId><artifactId>mssql-jdbc</artifactId><version>13.6.2.jre11</version></dependency>
    <dependency><groupId>com.azure</groupId><artifactId>azure-security-keyvault-keys</artifactId></dependency>
  </dependencies>
</project>
END
    mvn -q -B package dependency:copy-dependencies -DskipTests -DoutputDirectory=lib
    ;;
install-load)
    cd "$PEERS/java"
    cp "$HERE/load/Load.java" src/main/java/
    mvn -q -B package -DskipTests
    ;;
run)
    keytool -importcert -noprompt -alias sim -file "$SIM/ca.pem" -keystore "$SIM/trust.p12" -storepass changeit >/dev/null 2>&1
    client() {
        timeout 120 java -Djavax.net.ssl.trustStore="$SIM/trust.p12" -Djavax.net.ssl.trustStorePassword=changeit \
            -cp "$PEERS/java/target/classes:$PEERS/java/lib/*" Client "$@"
    }
    client secret 'secret, Managed HSM' 'keys, all operations' 'keys, 404' certificate mssql-jdbc
    (export $(cat "$SIM/workload.env") && client 'workload identity')
    (export $(cat "$SIM/identity.env") && client 'IMDS, system-assigned' 'IMDS, user-assigned' 'managed identity as assertion')
    (export $(cat "$SIM/identity-arc.env") && client Arc)
    (export $(cat "$SIM/identity-app-service.env") && client 'App Service' 'App Service, user-assigned')
    ;;
esac
